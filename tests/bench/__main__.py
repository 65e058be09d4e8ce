"""`make bench`: previews, then what an accepted alert costs."""

from tests.bench import accept, previews

if __name__ == "__main__":
    previews.main()
    print()
    accept.main()
