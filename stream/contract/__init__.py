"""What crosses Swerve's borders, one noun a file: request, release, expected, verdict, alert.

A record is read strictly or refused: `refusal` holds the reasons, `json_object` and `fields` the rules that all records
share, `instant` the times, `catalogue` the files of releases and expected shifts.
"""
