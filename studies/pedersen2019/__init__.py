"""A study of the work that Volr re-implements: J. E. Pedersen, "Modelling learning systems in
artificial and spiking neural networks", University of Copenhagen, 2019.

    recipe, transfer, loop    its recipe, flaws included, and the repairs of it
    conditions                these as conditions of an experiment
    theory, figures           what it shows of its neuron, measured anew, and drawn
    thesis                    the accuracies that it reports
    report                    what it adds to the page of an experiment
    study                     all of this as a ``Study``
    theory_command, __main__  the command line: python -m studies.pedersen2019

It uses Volr as any other package would: nothing in Volr knows it.
"""
