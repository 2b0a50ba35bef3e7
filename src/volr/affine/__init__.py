"""What a network computes between its populations, as linear forms.

``forms`` and ``windows`` multiply operations out, and ``terms`` are what a projection can be.
``values`` are what operations of other programs take and give, with those on ``maps`` apart, and
``building`` makes populations of them. A ``skeleton`` is a network before it has projections;
``shapes`` and ``projections`` make the network. Whatever reads other programs' models uses this.
"""
