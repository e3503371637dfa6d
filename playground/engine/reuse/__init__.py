"""Reuse of what was saved elsewhere: a stranger's ``.keras`` file becomes a network of our own catalogue.

A file from outside is never given to Keras: reading it can run code, open files and connections, or take all memory,
with ``safe_mode=True`` as well (Keras's SECURITY.md recommends a sandbox and calls no method of detection safe). So:

1. ``child`` is a throw-away process with limits that imports no Keras. There the gates look at the file: ``gate`` at
   the archive, ``gate_config`` at the network, ``gate_weights`` at the numbers. All that is not in the catalogue is a
   reason to refuse it.
2. It hands back (``handover``) a description in our own words and plain float32 numbers. As config and weights are
   plain JSON and plain arrays, nothing is gained by ``load_model``, not even in the child, and it is called nowhere.
3. ``take_in`` builds the network from the description as it builds every other, and copies the numbers into it.
"""
