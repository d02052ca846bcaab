import "@mantine/core/styles.css";
import "./app/global.css";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { styleNonce } from "./app/nonce";
import { applySavedColorScheme } from "./app/theme";

// Before the first paint, so that a chosen scheme does not flash.
applySavedColorScheme();

// Dialogs lock scrolling by a style element, whose library asks for the nonce here.
setNonce(styleNonce());

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
