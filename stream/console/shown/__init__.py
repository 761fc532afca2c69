"""What does the console show? A read model that whoever judges feeds, and what pages and API read from it.

In: ticks, alert records, expected shifts, as they come. Out: lists with filters and pages (`listing`), courses of
alerts (`charts`), of accounts (`tracks`), of cohorts (`cohorts`), files to take away (`export`), the runbook.

May never touch: HTTP, a form, who is logged in; and nothing of it is written back.
"""
