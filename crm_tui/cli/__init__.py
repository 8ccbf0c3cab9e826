"""One file per command group; never imports textual."""
