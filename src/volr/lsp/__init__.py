"""The language server: what editors show of programs, over the Language Server Protocol.

    transport      messages in and out, and how the server ends
    server         the features by their names in the protocol, and what they share
    documents      the open documents, their changes, and when they are checked
    background     work in threads beside the messages
    log            what goes wrong, a line for each
    text           a version of a document, and places in it as a client counts them
    places         which part of a program, and which call, is at a place
    words          what is said of layers, names and values
    findings       mistakes as diagnostics, and the edits that mend them
    hover, hints, names, completion, formatting, colours     what an editor can ask for

Only this package knows pygls, which is imported when the server starts.
"""
