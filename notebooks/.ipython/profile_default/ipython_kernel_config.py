"""What `make lab` adds to a kernel: a change of the library counts at once, without a restart."""

c = get_config()  # noqa: F821
c.InteractiveShellApp.extensions = ["autoreload"]
c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
