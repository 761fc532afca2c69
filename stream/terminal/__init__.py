"""What does a person see in a terminal while something runs?"""
