import { useEffect, useRef, useState } from "react";
import { ApiError, call, rememberCsrf } from "../api/client";
import type { Role } from "../api/types";
import { Mark } from "../app/shell";
import { Button, Input } from "../kit/controls";
import { FieldFrame } from "../kit/form";
import { ErrorBox } from "../kit/states";

export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const first = useRef<HTMLFormElement>(null);
  useEffect(() => {
    document.title = "Sign in · shaduf";
    first.current?.querySelector("input")?.focus();
  }, []);
  const signIn = async () => {
    setBusy(true);
    setError(null);
    try {
      const answer = await call<{ name: string; role: Role; csrf: string }>(
        "POST",
        "/session",
        {},
        { body: { name, password } },
      );
      rememberCsrf(answer.csrf);
      setPassword("");
      onSignedIn();
    } catch (cause) {
      setError(
        cause instanceof ApiError && cause.status === 401
          ? new Error("Name and password do not belong together.")
          : cause,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="sign-in" id="main">
      <form
        ref={first}
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <div className="row">
          <Mark />
          <h1>Sign in to shaduf</h1>
        </div>
        {error !== null && <ErrorBox error={error} compact />}
        <FieldFrame id="name" title="Name">
          <Input
            id="name"
            name="name"
            autoComplete="username"
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </FieldFrame>
        <FieldFrame id="password" title="Password">
          <Input
            id="password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </FieldFrame>
        <Button type="submit" kind="primary" busy={busy}>
          {busy ? "Signing in" : "Sign in"}
        </Button>
        <p className="small muted">
          No account yet? Whoever runs this server makes one: <code>shaduf users add NAME --role viewer</code>
        </p>
      </form>
    </main>
  );
}
