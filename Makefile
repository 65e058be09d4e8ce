# Two commands do everything: `make up` and `make test`. `make help` lists the others.
STACK ?= local
FORMAT ?= table
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help up status logs secrets restore backup alert alerts kill resume orders market list dead-letters new-service new-strategy down clean test test-fast lint preview cost bench day chaos-bots chaos-data chaos-alerts chaos-day

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

up: ## set up this machine and run the bots on it; ends with a closed trade and a table
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup up
	@$(PYTHON) -m tools.stack.up $(UP_OPTIONS)

status: ## the bots' state, trades and profit (STACK=local FORMAT=table|json)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.status --stack $(STACK) --format $(FORMAT)

logs: ## the log of a bot or a service (BOT=name STACK=local MINUTES=15 FOLLOW=1)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.logs --stack $(STACK) --bot "$(BOT)" $(if $(MINUTES),--minutes $(MINUTES)) $(if $(FOLLOW),--follow)

secrets: ## make up the credentials that a stack's bots and webhook lack (STACK=dev)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.secrets --stack $(STACK)

backup: ## back a bot's trades or a whole store up now and list the backups (BOT=name, or STORE=influxdb)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.$(if $(STORE),store_backups --store "$(STORE)",backups --bot "$(BOT)")

restore: ## put a bot's trades or a store back to a backup (BOT=name or STORE=name, FROM=backup)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.$(if $(STORE),store_backups --store "$(STORE)",restore --bot "$(BOT)") --from "$(FROM)"

alert: ## send a signed test alert and show its order (ROUTE=market SYMBOL=AAPL ACTION=buy SET="qty=2" STACK=local)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.alert --stack $(STACK) $(if $(ROUTE),--route $(ROUTE)) $(if $(SYMBOL),--symbol $(SYMBOL)) $(if $(ACTION),--action $(ACTION)) $(if $(SET),--set '$(value SET)') $(if $(LIVE),--live)

alerts: ## the page that makes alerts for TradingView, on this machine only (STACK=local)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.alert_page --stack $(STACK)

kill: ## stop a webhook's trading: cancel its open orders, with CLOSE=1 close its positions (STACK=local)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.switch kill --stack $(STACK) $(if $(CLOSE),--close)

resume: ## let a webhook trade again after make kill (STACK=local)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.switch resume --stack $(STACK)

orders: ## the orders of a strategy service or an alert at the local stack's paper broker (NAME=mine)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.orders $(if $(NAME),--name "$(NAME)")

market: ## the paper broker's clock: how fast, which day, which hours (SPEED=60 DAY=2026-12-09, or DAY=real, HOURS=nyse)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.market $(if $(SPEED),--speed "$(SPEED)") $(if $(DAY),--day "$(DAY)") $(if $(HOURS),--hours "$(HOURS)")

list: ## the lists of symbols that beancleaner keeps (NAME=dividend_aristocrats ADD="KO PG", REMOVE=…, SET=…)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.lists $(if $(NAME),--name "$(NAME)") $(if $(ADD),--add "$(ADD)") $(if $(REMOVE),--remove "$(REMOVE)") $(if $(filter undefined,$(origin SET)),,--set "$(SET)")

dead-letters: ## alerts that were not traded, and why (ARGS="replay ID" tries one again)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.dead_letters $(ARGS)

new-service: ## a strategy service of your own: image, settings, tests, and its block in Pulumi.local.yaml (NAME=mine)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.new_service $(if $(NAME),--name "$(NAME)")

new-strategy: ## a Freqtrade strategy of your own and the block of a bot that runs it (NAME=trend)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.new_service.strategy $(if $(NAME),--name "$(NAME)")

down: ## destroy the local stack; nothing is left behind
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.stack.down
	@$(PYTHON) -m tools.setup stop-engine

clean: ## make down's rest: this checkout's state and the images that set-up built
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup clean

test: ## set up this machine and run every test
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup test
	@$(PYTHON) -m tools.run_tests

test-fast: ## the tests that need neither Docker, the Pulumi engine, a browser nor servers, in about a minute
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup test-fast
	@$(PYTHON) -m pytest -n 2 --dist loadfile -m "not docker and not engine and not browser and not servers"

lint: ## style and types of names
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup test-fast
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .

preview: ## what `pulumi up` would do (STACK=dev)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup preview
	@$(PYTHON) -m tools.stack.preview --stack $(STACK)

cost: ## what a stack costs in 30 days, before it is deployed (STACK=dev)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup preview
	@$(PYTHON) -m tools.cost --stack $(STACK)

bench: ## what previews, alerts, polling, data services and the board take, in a quarter of an hour
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup test
	@$(PYTHON) -m tests.bench

day: ## a whole trading day on the local stack in minutes, and whether the books agree (SPEED=90 DATE=2026-12-01 RESET=1)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.day $(if $(SPEED),--speed "$(SPEED)") $(if $(DATE),--date "$(DATE)") $(if $(RESET),--reset)

chaos-bots: ## kill the local stack's bots ten times and compare their trades (KILLS=10 SEED=…)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.chaos.bots $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

chaos-data: ## kill and stop the data services while bots trade and alerts come in, and count what is lost (SEED=…)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup up
	@$(PYTHON) -m tools.chaos.data $(if $(SEED),--seed $(SEED))

chaos-alerts: ## hurt a webhook's containers while alerts come in, and count orders lost and doubled (ALERTS=2000 SEED=…)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup up
	@$(PYTHON) -m tools.chaos.alerts $(if $(ALERTS),--alerts $(ALERTS)) $(if $(SEED),--seed $(SEED))

chaos-day: ## interrupt every service 50 times during a trading day and compare the books (EACH=50 SEED=…)
	@tools/bootstrap.sh
	@$(PYTHON) -m tools.setup up
	@$(PYTHON) -m tools.day.chaos $(if $(EACH),--each $(EACH)) $(if $(SEED),--seed $(SEED))
