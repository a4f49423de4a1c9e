"use strict";
// Starts `dlspec lsp` for YAML files; which of them are specs the server itself sees.

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** The words that start dlspec: of the settings, by the Python that is chosen for the workspace, or of the path. */
async function command() {
  const given = vscode.workspace.getConfiguration("dlspec").get("command");
  if (given.length > 0) {
    return given;
  }
  const python = vscode.extensions.getExtension("ms-python.python");
  if (python) {
    const api = python.isActive ? python.exports : await python.activate();
    const chosen = api.environments.getActiveEnvironmentPath();
    const environment = await api.environments.resolveEnvironment(chosen);
    const file = environment && environment.executable.uri && environment.executable.uri.fsPath;
    if (file) {
      return [file, "-m", "dlspec"];
    }
  }
  return ["dlspec"];
}

async function start() {
  const settings = vscode.workspace.getConfiguration("dlspec");
  const [program, ...words] = await command();
  const plugins = settings.get("plugins").flatMap((file) => ["--plugin", file]);
  const args = [...words, "lsp", "--lang", settings.get("language"), ...plugins];
  client = new LanguageClient(
    "dlspec",
    "dlspec",
    { command: program, args },
    {
      documentSelector: [
        { scheme: "file", language: "yaml" },
        { scheme: "untitled", language: "yaml" },
      ],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{yaml,yml,csv,tsv,npz}") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const typed = [program, ...args].join(" ");
    vscode.window.showErrorMessage(`dlspec did not start (${typed}): type  pip install "dlspec[lsp]"  (${error.message})`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) {
    await running.stop().catch(() => undefined);
  }
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("dlspec.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("dlspec") && restart()),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
