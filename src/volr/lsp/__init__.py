"""The language server: what editors show of programs, over the Language Server Protocol.

    transport      messages in and out; how the server ends
    server         the features by their names in the protocol, and what they share
    text           a version of a document, and places in it as a client counts them
    documents      the open documents, their changes, and when they are checked
    findings       mistakes as diagnostics, and the edits that mend them
    places         which part of a program, and which call, is at a place
    hover, hints, names, completion, formatting, colours     one feature each

Only this package knows pygls, which is imported when the server starts.
"""
