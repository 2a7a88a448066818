"""The launcher: a small window with the buttons of the ribbon, for those who have no ribbon.

It starts each command in a process of its own, follows it, and shows in plain words
what it did. `actions` and `state` say what there is to press and what is shown, `words`
puts answers into sentences, `worker` runs the processes, `control` ties them together,
and only `look`, `view` and `dialogs` know Tk. Nothing is imported here, and Tk only once
a window is asked for: the command line works without it.
"""
