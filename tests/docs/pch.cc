// Carries the precompiled header of the documentation's snippets; holds no code.
