"""Nowcasts: the path of a file is the name of its model, ``nowcast.dfm``."""
