"""Tables that say what pictures show: formats, columns, values, and which file a row means."""
