"""Who is at the screen, who has an alert, and what people wrote about it?"""
