// Starts the page: the language first, so that nothing is shown twice.

import { begin as beginLanguage } from "./i18n.js";
import { begin as beginShell } from "./shell.js";
import { begin as beginStudio } from "./studio.js";

await beginLanguage();
beginStudio(document.getElementById("one"));
beginShell();
document.documentElement.dataset.ready = "";
