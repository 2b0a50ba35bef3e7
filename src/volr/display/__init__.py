"""What is shown to people, in a form that a terminal and a notebook share.

Each room says what its results show: texts, tables and drawings, in an order (``Part``). The
command line prints them, and a notebook gets them as HTML (``Displayed``).

    parts       what can be shown
    displayed   what shows itself in a notebook
    html        parts as HTML, for light and dark pages
    lexer       programs as tokens, for Pygments
    programs    programs as HTML, in colour
    errors      errors in colour, and what a notebook shows of one
"""
