"""Measure what a share of feature maps gives away of the image: data, victims, attackers."""
