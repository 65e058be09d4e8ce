"""`make bench`: previews, an accepted alert, 200 bots polled, the data services under load, the board, bars through purrstream; about twenty minutes."""

from tests.bench import accept, board, bot_metrics, data, previews, purrstream

if __name__ == "__main__":
    for number, part in enumerate((previews, accept, bot_metrics, data, board, purrstream)):
        print("\n" if number else "", end="")
        part.main()
