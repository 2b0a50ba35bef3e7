// Starts `volr lsp`, which knows everything of programs, and hands its answers to the editor.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

const ON_WINDOWS = process.platform === "win32";
const INSTALL = "pip install 'volr[lsp]', or set volr.path to the command";

/** @type {LanguageClient | undefined} */
let client;

/** The command `volr`: the one that is set, the one of the folder's `.venv`, or that on the path. */
function command() {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const set = vscode.workspace.getConfiguration("volr").get("path", "").trim();
  if (set) {
    return folder ? set.replaceAll("${workspaceFolder}", folder) : set;
  }
  const own = ON_WINDOWS ? ["Scripts", "volr.exe"] : ["bin", "volr"];
  const found = folder && path.join(folder, ".venv", ...own);
  return found && fs.existsSync(found) ? found : "volr";
}

async function start() {
  const executable = { command: command(), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient(
    "volr",
    "Volr",
    { run: executable, debug: executable },
    {
      documentSelector: [{ language: "volr" }],
      initializationOptions: {
        drawings: vscode.workspace.getConfiguration("volr").get("drawings", true),
      },
    },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(
      `\`${executable.command} lsp\` could not be started: ${reason}. ${INSTALL}.`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await stop();
  await start();
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("volr.restart", restart),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (vscode.workspace.isTrusted && change.affectsConfiguration("volr")) {
        await restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(start),
  );
  if (vscode.workspace.isTrusted) {
    await start();
  }
}

module.exports = { activate, deactivate: stop };
