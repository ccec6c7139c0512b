from hypothesis import settings

# A busy machine is slow, which is no failure; and every run of the tests is the same run.
settings.register_profile("ours", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("ours")
