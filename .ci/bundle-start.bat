@echo off
rem Serves without a network: the first time it installs what wheels\ holds into .venv beside this file.
rem   start.bat                    serves on this machine; "start.bat serve --lan" for everyone on the network
rem   start.bat certificate        any other command of vitrine; files are relative to this folder
setlocal
rem pushd gives a network share a drive letter, which cd cannot.
pushd "%~dp0"
if exist .venv\installed goto start
py -@VERSION@ -m venv --without-pip .venv
if not exist .venv\Scripts\python.exe goto python
set PYTHONPATH=installer
.venv\Scripts\python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels --require-hashes -r requirements.lock
if errorlevel 1 goto wheels
type nul > .venv\installed
:start
if not defined VITRINE_MODELS set "VITRINE_MODELS=%CD%\models"
set PYTHONPATH=app;app\clients\python
if "%~1"=="" goto serve
.venv\Scripts\python -m vitrine_command %*
exit /b %errorlevel%
:serve
.venv\Scripts\python -m vitrine_command serve
exit /b %errorlevel%
:python
echo error: these wheels need Python @VERSION@ from python.org
goto failed
:wheels
echo error: the wheels could not be installed; they are for 64-bit Windows and Python @VERSION@ from python.org
:failed
rem A window that was opened by a double-click would close with the sentence.
pause
exit /b 1
