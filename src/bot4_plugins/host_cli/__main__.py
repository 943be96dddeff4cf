"""``python -m bot4_plugins.host_cli`` is ``bot4``."""

from bot4_plugins.host_cli.main import main

if __name__ == "__main__":
    main()
