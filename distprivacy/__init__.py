"""One command for all commands: `distprivacy solve FILE.json` is `python -m optmodel FILE.json`."""
