"""Where do records come from? Files, pipes and growing logs; `dialects` knows the formats of other platforms.

In: a path, `-`, an object of a bucket, or a log that somebody appends to; plain, gzip, zstd, Parquet; and what stands
for many (`logs`). Out: raw records with their line numbers (`open`, `growing`), whatever a line is: one, or an array.

A file that ends in the middle, or changes its kind, is told in one line with its name and place.

May never touch: clocks, counts, Kafka, and what a record means.
"""
