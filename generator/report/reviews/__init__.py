"""An access review in each form in which it is handed on."""
