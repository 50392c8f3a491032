/** What a page that breaks leaves behind: a way to go on, and the rest of the frame. */
import { Component, type ReactNode } from "react";

interface State {
  error: unknown;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <section className="state" role="alert">
        <h1>This page broke</h1>
        <p>Jobs go on without it.</p>
        <button type="button" onClick={() => this.setState({ error: null })}>
          Try again
        </button>{" "}
        <button type="button" className="quiet" onClick={() => location.reload()}>
          Load it afresh
        </button>
      </section>
    );
  }
}
