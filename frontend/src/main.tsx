import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/grenze-gotisch/wght.css";
import "@fontsource-variable/alegreya/wght.css";
import "@fontsource-variable/alegreya/wght-italic.css";
import "@fontsource/alegreya-sans/latin-400.css";
import "@fontsource/alegreya-sans/latin-500.css";
import "@fontsource/alegreya-sans/latin-700.css";
import "@fontsource/alegreya-sans/latin-ext-400.css";
import "@loresmith/react/styles.css";
import "@/app/styles/base.css";
import "@/app/styles/lore.css";
import "@/app/styles/pages.css";
import "@/app/styles/board.css";
import { App } from "@/app/App";
import { client } from "@/app/queries";
import { installAccess } from "@/app/access";
import { tolerateTranslation } from "@/app/translated";

tolerateTranslation();
installAccess();

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
