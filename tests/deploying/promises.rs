//! What has to hold between the files of `deploy/` and the service, whoever changes one of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::image::instructions;
use super::written::{document, documents, known, members, of_unit, repository, text};

/// A figure that stands in the code, as in `const NAME: Duration = Duration::from_secs(10);`.
fn seconds(file: &str, name: &str) -> Duration {
    let text = text(file);
    let (_, after) = text
        .split_once(&format!("const {name}: Duration = Duration::from_secs("))
        .unwrap_or_else(|| panic!("{file} has no {name} in seconds"));
    Duration::from_secs(after.split_once(')').unwrap().0.parse().unwrap())
}

/// How long the service may take to stop.
fn stops_within() -> Duration {
    seconds("crates/service/src/serve.rs", "STOPPED_WITHIN")
}

/// A member of the root manifest.
fn of_the_workspace(name: &str) -> String {
    let manifest = text("Cargo.toml");
    let line = manifest.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
    line.unwrap().trim_end_matches('"').to_owned()
}

fn deployment() -> Value {
    document("deploy/kubernetes/serve/deployment.yaml")
}

fn pod(file: &str) -> Value {
    document(&format!("deploy/kubernetes/{file}"))["spec"]["template"]["spec"].clone()
}

const PODS: [&str; 3] = ["serve/deployment.yaml", "prepare/migrate.yaml", "prepare/topics.yaml"];

#[test]
fn the_image_is_built_by_the_rust_that_the_code_is_written_for() {
    let rust = format!("rust:{}-", of_the_workspace("rust-version"));
    let stages: Vec<_> = instructions().into_iter().filter(|(word, _)| word == "FROM").collect();
    assert_eq!(stages.len(), 3, "{stages:?}");
    assert!(stages[..2].iter().all(|(_, from)| from.starts_with(&rust)), "{stages:?}");
    let builds = instructions().into_iter().filter(|(_, rest)| rest.contains("cargo build"));
    for (_, build) in builds {
        assert!(build.contains("--locked"), "{build}");
    }
}

#[test]
fn everything_is_of_one_version() {
    let version = of_the_workspace("version");
    assert!(instructions().contains(&("ARG".to_owned(), format!("VERSION={version}"))));
    for folder in ["prepare", "serve"] {
        let images = document(&format!("deploy/kubernetes/{folder}/kustomization.yaml"));
        assert_eq!(images["images"][0]["newTag"], version.as_str(), "{folder}");
    }
}

#[test]
fn whoever_stops_it_waits_until_it_has_stopped() {
    let stops = stops_within();
    let pod = pod("serve/deployment.yaml");
    let before = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1].as_str();
    let before = Duration::from_secs(before.unwrap().parse().unwrap());
    let kubernetes = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(Duration::from_secs(kubernetes) > before + stops);
    let compose = document("deploy/compose.yaml");
    let compose = compose["services"]["dispense"]["stop_grace_period"].as_str().unwrap();
    assert!(Duration::from_secs(compose.trim_end_matches('s').parse().unwrap()) > stops);
    let unit = of_unit("dispense.service", "TimeoutStopSec");
    assert!(Duration::from_secs(unit[0].parse().unwrap()) > stops);
}

#[test]
fn a_readiness_probe_waits_for_the_answer_and_a_liveness_probe_needs_no_database() {
    let checked = seconds("crates/http/src/health.rs", "CHECKED_WITHIN");
    let container = &pod("serve/deployment.yaml")["containers"][0];
    let ready = &container["readinessProbe"];
    assert_eq!(ready["httpGet"]["path"], "/health/ready");
    assert!(Duration::from_secs(ready["timeoutSeconds"].as_u64().unwrap()) > checked);
    for probe in ["startupProbe", "livenessProbe"] {
        assert_eq!(container[probe]["httpGet"]["path"], "/health/live", "{probe}");
    }
}

#[test]
fn no_instance_goes_before_another_is_ready() {
    let spec = &deployment()["spec"];
    assert!(spec["replicas"].as_u64().unwrap() > 1);
    assert_eq!(spec["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
}

#[test]
fn every_pod_is_restricted() {
    for file in PODS {
        let pod = pod(file);
        assert_eq!(pod["automountServiceAccountToken"], false, "{file}");
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"], true, "{file}");
        assert_eq!(context["runAsUser"], 10_001, "{file}");
        assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault", "{file}");
        for container in pod["containers"].as_array().unwrap() {
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false, "{file}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{file}");
            assert_eq!(context["capabilities"]["drop"][0], "ALL", "{file}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{file}");
        }
    }
}

#[test]
fn nobody_but_who_migrates_knows_the_owner() {
    let whole = |file: &str| document(&format!("deploy/kubernetes/{file}")).to_string();
    for file in PODS {
        let is_migrating = file == "prepare/migrate.yaml";
        assert_eq!(whole(file).contains("dispense-owner"), is_migrating, "{file}");
    }
    let compose = document("deploy/compose.yaml");
    for (name, service) in compose["services"].as_object().unwrap() {
        let knows = service["environment"].get("DATABASE_ADMIN_URL").is_some();
        assert_eq!(knows, name == "migrate", "{name}");
    }
    assert_eq!(of_unit("dispense.service", "EnvironmentFile"), ["/etc/dispense/env"]);
    let settings = text("deploy/kubernetes/settings/settings.env");
    assert!(!settings.contains("DATABASE_ADMIN_URL") && !settings.contains("DATABASE_URL"));
}

#[test]
fn every_secret_is_an_example_and_every_name_a_setting() {
    let secrets = documents("deploy/kubernetes/secrets.example.yaml");
    let by_name: BTreeMap<_, _> = secrets
        .iter()
        .map(|secret| {
            (secret["metadata"]["name"].as_str().unwrap(), members(&secret["stringData"]))
        })
        .collect();
    for (name, members) in &by_name {
        for (member, value) in members {
            let is_name = member.ends_with("_USERNAME");
            assert!(is_name || value.contains("CHANGE-ME"), "{name} has a value for {member}");
            assert!(*name == "dispense-files" || known(member), "{member} is no setting");
        }
    }
    // Whoever asks for a secret asks for one that there is.
    for file in PODS {
        let pod = pod(file);
        let sources = pod["containers"][0]["envFrom"].as_array().unwrap().iter();
        let named = sources.filter_map(|from| from["secretRef"]["name"].as_str());
        let volumes = pod["volumes"].as_array().into_iter().flatten();
        let mounted = volumes.filter_map(|volume| volume["secret"]["secretName"].as_str());
        for secret in named.chain(mounted) {
            assert!(by_name.contains_key(secret), "{file} asks for {secret}");
        }
    }
    // Files that settings name are in the secret of files.
    let settings = super::written::lines(&text("deploy/kubernetes/settings/settings.env"));
    for (name, value) in settings {
        assert!(known(&name), "{name} is no setting");
        if let Some(file) = value.strip_prefix("/etc/dispense/") {
            assert!(by_name["dispense-files"].contains_key(file), "{name}: no file {file}");
        }
    }
}

#[test]
fn compose_has_no_password_of_its_own() {
    let text = text("deploy/compose.yaml");
    for line in
        text.lines().filter(|line| line.contains("PASSWORD") || line.contains("://dispense"))
    {
        let is_path = line.contains("/run/secrets/");
        assert!(
            is_path
                || line.contains("_PASSWORD:?")
                || line.contains("environment: POSTGRES_PASSWORD"),
            "{line}"
        );
    }
}

#[test]
fn a_kustomization_names_every_file_beside_it() {
    for folder in ["settings", "prepare", "serve", "monitoring"] {
        let path = format!("deploy/kubernetes/{folder}");
        let kustomization = document(&format!("{path}/kustomization.yaml"));
        let named = super::written::words(&kustomization["resources"]);
        for entry in std::fs::read_dir(repository().join(&path)).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let is_told = ["kustomization.yaml", "settings.env"].contains(&&*file);
            assert!(is_told || named.contains(&file), "{path}/{file} is in no kustomization");
        }
        for name in named {
            assert!(repository().join(&path).join(&name).exists(), "{path} names {name}");
        }
    }
}

#[test]
fn the_units_differ_in_nothing_that_they_keep_out() {
    let hardening = |unit: &str| {
        let text = text(&format!("deploy/{unit}"));
        let lines = text.lines().skip_while(|line| !line.starts_with("NoNewPrivileges"));
        let lines = lines.take_while(|line| !line.starts_with('['));
        let set = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
        set.filter(|line| !line.starts_with("ProcSubset")).map(str::to_owned).collect::<Vec<_>>()
    };
    let served = hardening("dispense.service");
    assert!(served.len() > 20, "{served:?}");
    assert_eq!(served, hardening("dispense-migrate.service"));
}
