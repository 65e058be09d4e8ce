"""`make bench`: previews, what an accepted alert costs, what polling 200 bots costs."""

from tests.bench import accept, bot_metrics, previews

if __name__ == "__main__":
    previews.main()
    print()
    accept.main()
    print()
    bot_metrics.main()
