//! A migration that is added is a reason to build again.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
