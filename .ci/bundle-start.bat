@echo off
rem Serves without a network: the first time it installs what wheels\ holds into .venv beside this file.
rem   start.bat                    serves on this machine; "start.bat serve --lan" for everyone on the network
rem   start.bat certificate        any other command of vitrine; files are relative to this folder
setlocal
cd /d "%~dp0" || exit /b 1
if exist .venv\installed goto start
py -@VERSION@ -m venv --without-pip .venv || goto python
set PYTHONPATH=installer
.venv\Scripts\python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels --require-hashes -r requirements.lock || exit /b 1
type nul > .venv\installed
:start
if not defined VITRINE_MODELS set "VITRINE_MODELS=%~dp0models"
set PYTHONPATH=app;app\clients\python
if "%~1"=="" goto serve
.venv\Scripts\python -m vitrine_command %*
exit /b
:serve
.venv\Scripts\python -m vitrine_command serve
exit /b
:python
echo error: these wheels need Python @VERSION@ from python.org
exit /b 1
