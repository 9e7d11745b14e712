"""Early warning: composite lights with their proof, signals, probabilities of a downturn, alarms by rule."""
