"""Commands for whoever sets Swerve up: is the configuration right, does a page arrive, would a campaign be found?

In: the configuration, at times a log. Out: what is in force and why (`config`), a test alert (`sinks`), what another
configuration would have said (`shadow`), whether a planted campaign is found (`canary`).

May never touch: the alerts of people: whatever is tried here goes to nobody, or says that it is a test.
"""
