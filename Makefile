# Everything is made from here; `make` alone says what there is to make.

PROFILE = standard
DATA    =
SHARE   =
RUN     = $(if $(DATA),$(DATA_NAME)-$(PROFILE),$(PROFILE))

# The data folder as a word of the shell, whatever is in its name.
DATA_WORD = '$(subst ','\'',$(value DATA))'
# The data folder's name, as far as Make can use it; where it cannot, a checksum tells such names apart.
DATA_NAME := $(shell name=$$(basename -- $(DATA_WORD)); clean=$$(printf %s "$$name" | tr -c 'A-Za-z0-9._-' '_'); \
	[ "$$name" = "$$clean" ] || clean=$$clean-$$(printf %s "$$name" | cksum | cut -d ' ' -f 1); echo "$$clean")
ifeq ($(shell printf '%s\n' '$(RUN)' | grep -Ex '[A-Za-z0-9_-][A-Za-z0-9._-]*' | grep -vx template),)
$(error RUN='$(RUN)': expected a name of letters, digits, dots, dashes and underscores, other than 'template')
endif
RUN_DIR := reports/$(RUN)

ifeq ($(CONDA_DEFAULT_ENV),srcnn)
PYTHON := python
READY  :=
else
VENV   := .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/ready
endif
GRAPH  := reports/graph.mk
# Called with any Python at hand, since it may come before the set-up.
LOCK = $(or $(BASE_PYTHON),python3) srcnn_lib/locking.py
# A Python from 3.11 to 3.13, wherever it is called so.
FIND_PYTHON = for python in $(or $(BASE_PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break; python=; done; \
	if [ -z "$$python" ]; then echo "Python 3.11, 3.12 or 3.13 is needed; name one with BASE_PYTHON=…"; exit 1; fi

# Kernels and settings of this environment, not of the person's account.
export JUPYTER_PREFER_ENV_PATH := 1
export PYTHONUNBUFFERED := 1
# glibc otherwise gives TensorFlow's large arrays back to the system after every step, which costs a quarter of the time.
export MALLOC_MMAP_MAX_ := 0
export MALLOC_TRIM_THRESHOLD_ := 17179869184
# Each of its arenas keeps what one thread ever needed, and OCR reads in new threads each time: 3.9 GB with 16 of them.
export MALLOC_ARENA_MAX := 2

.PHONY: help report report-pdf compare notebooks data test test-zoo test-slow test-own published benchmark-set5 benchmark-noisy-office benchmark-reading weights bench bench-enhance lint lab lock clean FORCE test-browser test-tuning zoo legible blur ablation test-faults test-hostile test-fuzz test-determinism test-scale test-newest bench-sharp check-enhance
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## this text
	@echo "make TARGET [PROFILE=ci|standard|published|long|full] [DATA=folder] [RUN=name] [SHARE=1] [-j2]"; echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-24s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo; echo "DATA is a folder with blurred_images/ and sharpened_images/; without it, cards are drawn."
	@echo "SHARE=1 adds report-share.html, which may be passed on: no images, texts and names of the data."
	@echo "The report of a run is reports/<run>/report.html; reports/report.html leads to the last one."

# What writes into a run folder runs in a make of its own that holds the folder's lock; a second one waits for it.
RUN_GOALS := $(filter report report-pdf notebooks data weights bench bench-sharp benchmark-reading test-browser zoo legible reports/%,$(MAKECMDGOALS))
DRY_RUN   := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
ifneq ($(if $(DRY_RUN),,$(if $(RUN_GOALS),$(subst x$(SRCNN_LOCKED)x,,x$(CURDIR)/$(RUN_DIR)x))),)
.PHONY: $(MAKECMDGOALS) locked
$(MAKECMDGOALS): locked
	@:
locked:
	@SRCNN_LOCKED='$(CURDIR)/$(RUN_DIR)' $(LOCK) 'reports/.$(RUN).lock' $(MAKE) --no-print-directory $(MAKECMDGOALS)
else

report: $(RUN_DIR)/report.html $(if $(SHARE),$(RUN_DIR)/report-share.html) ## the whole report: sets up, runs what is out of date, assembles the HTML
	@printf '<!DOCTYPE html>\n<meta http-equiv="refresh" content="0; url=%s/report.html">\n<title>Last report</title>\n<a href="%s/report.html">The last report: %s</a>\n' '$(RUN)' '$(RUN)' '$(RUN)' > reports/report.html
	@echo "The report is $(RUN_DIR)/report.html"
	@$(if $(SHARE),echo "The copy to share is $(RUN_DIR)/report-share.html")

SOURCES  := $(sort $(wildcard notebooks/[0-9][0-9]_*.py))
EXECUTED := $(SOURCES:notebooks/%.py=$(RUN_DIR)/%.ipynb)

notebooks: $(EXECUTED) ## only the executed notebooks

data: $(RUN_DIR)/run.yaml ## only check the profile and draw the data set it needs

# Looked at on every run, rewritten only when profile or data have changed.
$(RUN_DIR)/run.yaml: FORCE | $(READY)
	@$(PYTHON) -m srcnn_lib prepare $(RUN_DIR) --profile '$(PROFILE)' $(if $(DATA),--data $(DATA_WORD))

# Each notebook's share of it is rewritten together with it, where that share has changed.
$(SOURCES:notebooks/%.py=$(RUN_DIR)/inputs/%.yaml): $(RUN_DIR)/run.yaml
	@:

# What each notebook needs besides, modules and results of others, is read from the sources.
$(EXECUTED): $(RUN_DIR)/%.ipynb: $(RUN_DIR)/inputs/%.yaml | $(READY)
	@$(PYTHON) -m srcnn_lib execute notebooks/$*.py $(RUN_DIR)

$(RUN_DIR)/report.html: $(EXECUTED) $(RUN_DIR)/run.yaml $(wildcard reports/template/*)
	@$(PYTHON) -m srcnn_lib assemble $(RUN_DIR)

$(RUN_DIR)/report-share.html: $(RUN_DIR)/report.html
	@$(PYTHON) -m srcnn_lib assemble $(RUN_DIR) --share

ifneq ($(filter-out data,$(RUN_GOALS)),)
include $(GRAPH)
endif

# Made with any Python at hand: Make remakes what it includes even under -n, which must not set anything up.
$(GRAPH): $(SOURCES) $(wildcard srcnn_lib/*.py srcnn_lib/*/*.py)
	@$(or $(BASE_PYTHON),python3) srcnn_lib/graph.py > $@.$$$$ && mv $@.$$$$ $@

# Debian, Fedora, macOS and others call it differently.
BROWSER = $(firstword $(foreach name,chromium chromium-browser google-chrome chrome,$(shell command -v $(name))))
report-pdf: $(RUN_DIR)/report.html ## the report as PDF, printed by an installed Chromium
	@[ -n "$(BROWSER)" ] || { echo "Chromium or Chrome is needed to print the PDF; none was found"; exit 1; }
	@profile=$$(mktemp -d) && pdf='$(CURDIR)/$(RUN_DIR)/report.tmp.pdf' && rm -f "$$pdf" && \
	"$(BROWSER)" --headless --no-sandbox --disable-gpu --user-data-dir="$$profile" --no-pdf-header-footer \
	  --generate-pdf-document-outline --print-to-pdf="$$pdf" 'file://$(CURDIR)/$(RUN_DIR)/report.html' 2> "$$profile/said"; \
	status=$$?; [ $$status != 0 ] || [ -s "$$pdf" ] || status=1; \
	[ $$status = 0 ] || { echo "$(BROWSER) printed no PDF (exit status $$status). It said:"; tail -n 20 "$$profile/said"; rm -f "$$pdf"; } >&2; \
	rm -rf "$$profile"; exit $$status
	@mv $(RUN_DIR)/report.tmp.pdf $(RUN_DIR)/report.pdf
	@grep -q 'href="report.pdf"' $(RUN_DIR)/report.html || $(PYTHON) -m srcnn_lib assemble $(RUN_DIR)
	@echo "The PDF is $(RUN_DIR)/report.pdf"

compare: $(READY) ## differences of two runs; A=run B=run
	@$(PYTHON) -m srcnn_lib compare 'reports/$(A)' 'reports/$(B)'

# One process makes the report, from the start, while the other runs the rest.
test: $(READY) ## unit tests, and the whole report on the ci profile, headlessly
	@$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-zoo: $(READY) ## the networks of the literature: size, learning, loading, one by one
	@$(PYTHON) -m pytest -m zoo

test-slow: $(READY) ## what takes longest of the unit tests: a make within a make, RapidOCR's networks as teachers, two devices
	@$(PYTHON) -m pytest -m slow

test-browser: $(if $(BROWSER),report-pdf,$(RUN_DIR)/report.html) ## the report of a profile in a real browser (needs Chromium or Chrome)
	@SRCNN_REPORT=$(RUN_DIR)/report.html $(PYTHON) -m pytest -m browser -rs tests/test_browser.py

test-own: $(READY) ## the whole report on a folder of one's own: few pages, odd names, a broken file
	@$(PYTHON) -m pytest -m own

test-tuning: $(READY) ## section 2.10's searches and ladder, with real trainings
	@$(PYTHON) -m pytest -m tuning

test-faults: $(READY) ## a report without network, against one that is killed at ten moments or more, and continued
	@$(PYTHON) -m pytest -m faults -rs

test-hostile: $(READY) ## the whole report, and its copy to share, on 91 kinds of hostile files
	@$(PYTHON) -m pytest -m hostile

test-fuzz: $(READY) ## ten thousand inputs made by chance for each reader of files
	@FUZZ=10000 $(PYTHON) -m pytest tests/test_fuzz.py

test-determinism: $(READY) ## the whole report twice from nothing: the same results?
	@$(PYTHON) -m pytest -m determinism

test-scale: $(READY) ## the enhancer on several processes, one of them killed (needs Ray)
	@$(PYTHON) -m pytest -m scale -rs

# In an environment of its own, which goes again. Tests that call make would use `.venv` instead, and are left out. What
# brings OpenCV's headless build along must not have the last word over the files of the other.
test-newest: ## unit tests with the newest direct dependencies that pyproject.toml allows, besides .venv
	@$(FIND_PYTHON); set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; new=$$folder/bin/python; \
	$$python -m venv "$$folder"; \
	"$$new" -c 'import tomllib; read = tomllib.load(open("pyproject.toml", "rb")); print(*read["project"]["dependencies"], *read["dependency-groups"]["dev"], sep="\n")' > "$$folder/newest.txt"; \
	"$$new" -m pip install --quiet --disable-pip-version-check -r "$$folder/newest.txt"; \
	"$$new" -m pip uninstall --quiet --yes opencv-python-headless; \
	"$$new" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps opencv-python; \
	PYTHONPATH='$(CURDIR)' "$$new" -m pytest -p no:cacheprovider --ignore=tests/test_report.py --ignore=tests/test_make.py

published: $(READY) ## the original's recipe to the letter, whole images and all; keeps its results (hours without a GPU)
	@$(MAKE) --no-print-directory report PROFILE=published
	@$(PYTHON) -m srcnn_lib keep reports/published

benchmark-set5: $(READY) ## the SRCNN paper's own test; T91=folder SET5=folder (kept weights are not trained again)
	@$(PYTHON) benchmarks/set5.py '$(value T91)' '$(value SET5)'

benchmark-noisy-office: $(READY) ## scanned pages, cross-validated; PAGES=folder of NoisyOffice's two sides
	@$(PYTHON) benchmarks/noisy_office.py '$(value PAGES)'

benchmark-reading: $(RUN_DIR)/07_evaluation.ipynb ## OCR on all test cards after the enhancer's networks; CARDS=folder with text.json, or DESIGNS=folder of sharp cards
	@$(PYTHON) benchmarks/reading.py $(RUN_DIR) $(if $(CARDS),--cards '$(value CARDS)') $(if $(DESIGNS),--designs '$(value DESIGNS)')

weights: $(RUN_DIR)/06_training.ipynb ## the networks that `python -m srcnn_lib enhance` uses, from this run's
	@$(PYTHON) -m srcnn_lib export $(RUN_DIR)

legible: $(RUN_DIR)/03_split.ipynb ## the house models that `enhance` comes with, and the other experiments; FONTS=folders of typefaces
	@$(PYTHON) -m srcnn_lib legible $(RUN_DIR) $(FONTS:%=--fonts %) --ship

blur: $(READY) ## the network that sees movements and lack of focus, and what is read after every step of the enhancer; FONTS=folders of typefaces
	@$(PYTHON) -m srcnn_lib blur $(FONTS:%=--fonts %)

ablation: $(READY) ## what each part of the house model's recipe is worth: short trainings, one change at a time; FONTS=folders of typefaces, PAGES=folder of pairs of pages
	@$(PYTHON) -m srcnn_lib ablation $(FONTS:%=--fonts %) $(if $(PAGES),--pages '$(value PAGES)')

zoo: $(RUN_DIR)/03_split.ipynb ## a light network of every family, trained alike and kept (those of the same data are not trained again)
	@$(PYTHON) -m srcnn_lib zoo $(RUN_DIR)

bench: $(RUN_DIR)/04_preprocessing.ipynb ## speed and memory of streaming and training, measured side by side
	@$(PYTHON) benchmarks/streaming.py "$$($(PYTHON) -c 'from srcnn_lib.runs import Run; print(Run("$(RUN_DIR)").data_folder)')"
	@$(PYTHON) benchmarks/training.py $(RUN_DIR)

bench-enhance: $(READY) ## speed and memory of the enhancer, beside others on the same image
	@$(PYTHON) benchmarks/enhancing.py

bench-sharp: $(RUN_DIR)/run.yaml ## does the enhancer leave the sharp validation cards of a profile as legible as they are?
	@$(PYTHON) benchmarks/sharp_cards.py "$$($(PYTHON) -c 'from srcnn_lib.runs import Run; print(Run("$(RUN_DIR)").data_folder)')"

check-enhance: $(READY) ## the enhancer on cards, pages and photographs; CARDS=folder PAGES=folder, both of your own
	@$(PYTHON) benchmarks/mixed_folder.py '$(value CARDS)' '$(value PAGES)'

lint: $(READY) ## style of the code, and that no image is in git
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check . && $(PYTHON) .ci/no_images.py

lab: $(READY) ## JupyterLab; a click on a numbered source opens it as a notebook
	@IPYTHONDIR='$(CURDIR)/notebooks/.ipython' $(PYTHON) -m jupyter lab --notebook-dir=notebooks

lock: ## pin the dependencies of pyproject.toml anew (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --upgrade \
	  --custom-compile-command "make lock" --output-file requirements.lock --quiet

clean: ## remove every built report, drawn data set and what was trained under reports/; your own data and .venv stay
	rm -rf data/specimens $(filter-out reports/template reports/example.webp,$(wildcard reports/*))

ifneq ($(READY),)
ifndef SETTING_UP
$(READY): requirements.lock
	@$(LOCK) reports/.set-up.lock $(MAKE) --no-print-directory --silent SETTING_UP=yes $@
else
$(READY): requirements.lock
	@$(FIND_PYTHON); \
	if [ -L $(VENV) ]; then echo "$(VENV) is a link: it is not set up anew, since others may use it"; exit 1; fi; \
	echo "setting up $(VENV) with $$($$python --version): once, two to five minutes"; \
	$$python -m venv --clear $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/jupytext-config --settings-file $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json \
	  set-default-viewer python
	@touch $@
endif
endif

endif
