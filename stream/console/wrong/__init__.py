"""What does a person read when something is wrong?"""
