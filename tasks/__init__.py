"""Task generators: one file per task family, plus haystacks, words and scoring."""
