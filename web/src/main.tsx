import "@mantine/core/styles.css";
import "./app/global.css";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { applySavedColorScheme } from "./app/theme";

// Before the first paint, so that a chosen scheme does not flash.
applySavedColorScheme();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
