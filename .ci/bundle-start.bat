@echo off
rem Serves without a network: the first time it installs what wheels\ holds into .venv beside this file.
cd /d "%~dp0"
if not exist .venv\installed (
  py -@VERSION@ -m venv .venv || (echo error: these wheels need Python @VERSION@ & exit /b 1)
  .venv\Scripts\python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels --require-hashes -r requirements.lock || exit /b 1
  type nul > .venv\installed
)
if not defined VITRINE_MODELS set VITRINE_MODELS=%~dp0models
set PYTHONPATH=app;app\clients\python
.venv\Scripts\python -m vitrine_command serve %*
