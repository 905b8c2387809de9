"""Which atoms an imputed profile, or a match, rests on."""
