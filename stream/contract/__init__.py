"""What crosses Swerve's borders, one noun a file: request, release, expected, verdict, attention, alert.

A record is read strictly or refused: `reading` holds the rules that all records share, and the reasons of a refusal;
`record_file` reads files of releases and expected shifts.

In: bytes of others. Out: frozen values, or a Refusal that says where, what was expected and what came. Every name and
every meaning is public: a change needs a new `schema_version`, and the old one is still read.

May never touch: anything but `stream.errors`: no detector, no configuration, nothing that waits.
"""
