//! A private broker that runs.

mod access;
mod answer;
mod builder;
mod certificates;
mod jars;
mod java;
mod layout;
mod node;
mod program;
mod settings;
mod storage;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub use builder::BrokerBuilder;

use crate::error::{Result, While, failed};
use crate::home::Home;
use access::Access;
use layout::{Files, Ports};
use node::{Node, NotUp, Orphan};
use program::Program;

/// How many times ports are picked when others take them between our look and the broker's.
const PICKS: u32 = 5;

/// How long the ports of a node that ended may take to become free.
const FREE_WITHIN: Duration = Duration::from_secs(15);

/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A private Apache Kafka, which stops when this is dropped and ends when this process does.
///
/// ```no_run
/// use dispense_embedded::Broker;
///
/// let mut broker = Broker::builder(".dispense/kafka").setting("message.max.bytes", 65_536).start()?;
/// println!("KAFKA_BROKERS={}", broker.addresses());
/// broker.kill()?;
/// broker.start_again()?;
/// # Ok::<(), dispense_embedded::Error>(())
/// ```
///
/// Nodes count from 1. All methods block; in asynchronous code, call them where blocking is allowed. A
/// `process::exit` drops nothing: then watchers stop the nodes a moment later.
#[derive(Debug)]
pub struct Broker {
    home: Home,
    plan: Plan,
    nodes: Vec<Node>,
}

/// What a broker was asked to be.
#[derive(Debug)]
pub(crate) struct Plan {
    program: Program,
    cluster_id: String,
    access: Access,
    settings: BTreeMap<String, String>,
    files: Vec<Files>,
    orphan: Orphan,
}

impl Plan {
    /// Looks whether all is there that a start needs, and stops what still runs in the folder.
    fn new(
        home: &Home,
        nodes: usize,
        access: Access,
        settings: BTreeMap<String, String>,
        orphan: Orphan,
    ) -> Result<Self> {
        let program = Program::find(home)?;
        let files: Vec<Files> = (1..=nodes).map(|id| Files::of(home, id)).collect::<Result<_>>()?;
        files.iter().try_for_each(Node::stop_leftover)?;
        let cluster_id = storage::cluster_id(home)?;
        Ok(Self { program, cluster_id, access, settings, files, orphan })
    }
}

impl Broker {
    /// Begins to describe a broker whose data is in `folder`, new or not.
    pub fn builder(folder: impl Into<PathBuf>) -> BrokerBuilder {
        BrokerBuilder::new(folder.into())
    }

    /// Removes the data of a broker that does not run.
    ///
    /// # Errors
    ///
    /// [`crate::Error::InUse`] when its process is alive; [`crate::Error::Io`] when the folder cannot be
    /// removed.
    pub fn remove(folder: &Path) -> Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        let home = Home::open_for_us(folder)?;
        for id in 1..=settings::QUORUM {
            if folder.join(format!("node-{id}")).exists() {
                Node::stop_leftover(&Files::of(&home, id)?)?;
            }
        }
        home.remove()
    }

    fn start(home: Home, plan: Plan) -> Result<Self> {
        let mut broker = Self { home, plan, nodes: Vec::new() };
        let count = broker.plan.files.len();
        let kept = Ports::kept(&broker.home, count);
        let mut next = kept.filter(|kept| kept.iter().all(|ports| ports.are_free()));
        for _ in 0..PICKS {
            let ports = match next.take() {
                Some(ports) => ports,
                None => Ports::pick(count)?,
            };
            broker.prepare(&ports)?;
            match broker.launch_all() {
                Ok(()) => {
                    Ports::keep(&broker.home, &ports)?;
                    return Ok(broker);
                }
                Err(NotUp::PortTaken(_)) => broker.kill()?,
                Err(not_up) => return Err(not_up.into()),
            }
        }
        Err(failed(
            format!(
                "free ports were taken by others {PICKS} times before Apache Kafka could listen"
            ),
            "try again",
        ))
    }

    /// Writes the settings of all nodes, and makes their storage if it is not there.
    fn prepare(&mut self, ports: &[Ports]) -> Result<()> {
        self.nodes.clear();
        for (place, (files, own)) in self.plan.files.iter().zip(ports).enumerate() {
            let id = place + 1;
            let told = settings::of_node(id, ports, &self.plan.access, &self.plan.settings)?;
            let path = files.settings();
            fs::write(&path, settings::text(&told)).when(|| format!("write {}", path.display()))?;
            let Plan { program, cluster_id, access, .. } = &self.plan;
            storage::make(files, program, cluster_id, &told, access)?;
            self.nodes.push(Node::new(id, files.clone(), *own));
        }
        Ok(())
    }

    /// Starts all nodes that do not run, and waits until each of them knows that all serve.
    fn launch_all(&mut self) -> std::result::Result<(), NotUp> {
        let all: Vec<usize> = (1..=self.nodes.len()).collect();
        for node in &mut self.nodes {
            if !node.is_running() {
                node.launch(&self.plan.program, self.plan.orphan)?;
            }
        }
        self.nodes.iter_mut().try_for_each(|node| node.wait_until_serving(&all))
    }

    /// Starts all nodes that do not run, on the same ports and with the same settings, and waits until
    /// all serve.
    ///
    /// # Errors
    ///
    /// As for [`BrokerBuilder::start`].
    pub fn start_again(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            if !node.is_running() {
                wait_until_free(node)?;
            }
        }
        self.launch_all().map_err(Into::into)
    }

    /// Starts one node again, and waits until it serves.
    ///
    /// # Errors
    ///
    /// As for [`BrokerBuilder::start`]; [`crate::Error::Failed`] if there is no such node.
    pub fn start_node_again(&mut self, id: usize) -> Result<()> {
        let node = found(&mut self.nodes, id)?;
        if !node.is_running() {
            wait_until_free(node)?;
            node.launch(&self.plan.program, self.plan.orphan)?;
        }
        node.wait_until_serving(&[]).map_err(Into::into)
    }

    /// Lets all nodes hand their work over and end.
    ///
    /// A node that takes too long is killed, as happens when too few others are left to take the work.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Failed`] when a node does not even end then.
    pub fn stop(&mut self) -> Result<()> {
        self.nodes.iter_mut().for_each(Node::ask_to_stop);
        self.nodes.iter_mut().try_for_each(Node::wait_until_stopped)
    }

    /// Lets one node hand its work over and end.
    ///
    /// # Errors
    ///
    /// As for [`Self::stop`], and if there is no such node.
    pub fn stop_node(&mut self, id: usize) -> Result<()> {
        let node = found(&mut self.nodes, id)?;
        node.ask_to_stop();
        node.wait_until_stopped()
    }

    /// Ends all nodes with `SIGKILL`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Failed`] when a node does not end.
    pub fn kill(&mut self) -> Result<()> {
        self.nodes.iter_mut().try_for_each(Node::kill)
    }

    /// Ends one node with `SIGKILL`.
    ///
    /// # Errors
    ///
    /// As for [`Self::kill`], and if there is no such node.
    pub fn kill_node(&mut self, id: usize) -> Result<()> {
        found(&mut self.nodes, id)?.kill()
    }

    /// Whether the processes of all nodes are alive.
    pub fn is_running(&mut self) -> bool {
        self.nodes.iter_mut().all(Node::is_running)
    }

    /// The process id of a node, while it runs.
    #[must_use]
    pub fn process_id(&self, id: usize) -> Option<u32> {
        self.nodes.iter().find(|node| node.id == id).and_then(Node::process_id)
    }

    /// Where clients find the nodes, as `KAFKA_BROKERS` wants it.
    #[must_use]
    pub fn addresses(&self) -> String {
        addresses(self.nodes.iter().map(|node| node.ports.clients))
    }

    /// Where the nodes find each other; here nobody is asked for a password, and everything is allowed.
    #[must_use]
    pub fn inside_addresses(&self) -> String {
        addresses(self.nodes.iter().map(|node| node.ports.inside))
    }

    /// The certificate of the authority that clients have to trust, if what they say is encrypted.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        let folder = self.plan.access.certificates.as_ref()?;
        Some(folder.join(certificates::AUTHORITY))
    }

    /// A command that runs one of Kafka's own tools, such as `org.apache.kafka.tools.TopicCommand`.
    ///
    /// Its arguments follow, [`Self::inside_addresses`] among them where it talks with the broker.
    #[must_use]
    pub fn tool(&self, class: &str) -> Command {
        self.plan.program.tool(class)
    }

    /// Lets a user do something, in the words of Kafka's `kafka-acls`: such as `--operation Read
    /// --topic x`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Failed`] with the tool's own words.
    pub fn grant(&self, user: &str, what: &[&str]) -> Result<()> {
        let mut tool = self.tool("org.apache.kafka.tools.AclCommand");
        tool.args(["--bootstrap-server", &self.inside_addresses(), "--add"]);
        tool.arg("--allow-principal").arg(format!("User:{user}")).args(what);
        let answer = tool.output().when(|| "start Java".to_owned())?;
        if answer.status.success() {
            return Ok(());
        }
        let said = [answer.stdout, answer.stderr].concat();
        let said = format!("it said: {}", String::from_utf8_lossy(&said).trim());
        Err(failed(format!("Apache Kafka did not grant {what:?} to {user}"), said))
    }

    /// The folder with everything that the broker keeps.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.folder()
    }

    /// The file with what a node says.
    #[must_use]
    pub fn log(&self, id: usize) -> PathBuf {
        self.home.folder().join(format!("node-{id}/server.log"))
    }

    /// The folder of Kafka's jars.
    #[must_use]
    pub fn libs(&self) -> &Path {
        self.plan.program.libs()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Nobody is left to be told of a failure, and the watchers stop what still runs.
        match self.plan.orphan {
            Orphan::Stops => {
                let _ = self.stop();
            }
            Orphan::Dies => {
                let _ = self.kill();
                let _ = self.home.remove();
            }
        }
    }
}

fn addresses(ports: impl Iterator<Item = u16>) -> String {
    ports.map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
}

fn found(nodes: &mut [Node], id: usize) -> Result<&mut Node> {
    let count = nodes.len();
    nodes.iter_mut().find(|node| node.id == id).ok_or_else(|| {
        failed(format!("there is no node {id}"), format!("name one from 1 to {count}"))
    })
}

/// Waits until the ports of a node that ended are free again.
fn wait_until_free(node: &Node) -> Result<()> {
    let start = Instant::now();
    while !node.ports.are_free() {
        if start.elapsed() > FREE_WITHIN {
            return Err(failed(
                format!("Apache Kafka cannot listen on 127.0.0.1:{} again", node.ports.clients),
                "stop what listens there or on the two ports beside it in the file `ports`",
            ));
        }
        sleep(LOOK);
    }
    Ok(())
}
