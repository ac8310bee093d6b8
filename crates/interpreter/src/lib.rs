//! Python sessions in a sandbox.
