import { QueryClientProvider, useQuery } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { me, queryClient } from "./api/queries";
import { onSignedOut } from "./app/live_context";
import { apply } from "./app/preferences";
import { router } from "./app/router";
import { MeProvider } from "./app/session";
import { ErrorBox, Skeleton, useDelayed } from "./kit/states";
import { SignIn } from "./pages/sign_in";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/kit.css";
import "./styles/shell.css";
import "./styles/pages.css";
import "@xyflow/react/dist/base.css";

function App() {
  const query = useQuery(me());
  const [signedOut, setSignedOut] = useState(false);
  useEffect(() => onSignedOut(() => setSignedOut(true)), []);
  const slow = useDelayed(query.data === undefined && !query.isError, 200);
  if (query.data === undefined) {
    if (query.isError) {
      return (
        <main className="sign-in" id="main">
          <div>
            <h1>shaduf</h1>
            <ErrorBox error={query.error} what="reach the server" onRetry={() => void query.refetch()} />
          </div>
        </main>
      );
    }
    return slow ? <Skeleton /> : null;
  }
  if (query.data.role === "nobody" || signedOut) {
    return (
      <SignIn
        onSignedIn={() => {
          setSignedOut(false);
          void queryClient.invalidateQueries();
        }}
      />
    );
  }
  return (
    <MeProvider value={query.data}>
      <RouterProvider router={router} />
    </MeProvider>
  );
}

apply();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
