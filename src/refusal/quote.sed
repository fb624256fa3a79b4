# A text file as C string literals, a line each.
s/[\\"]/\\&/g
s/^/"/
s/$/\\n"/
