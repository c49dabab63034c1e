package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"muster/config"
	"muster/evaluator"
)

// loadShipped loads a configuration as its container would, with secrets in files.
func loadShipped(t *testing.T, text string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"postgres-dsn", "clickhouse-password", "api-key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("postgres://muster@postgres/app?key=0123456789abcdef"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "muster.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "/run/secrets/muster", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readYAML(t *testing.T, path string, into any) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil && into != nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(text)
}

// TestKubernetesManifestsFit holds the configuration in deploy/kubernetes to the pod around it.
func TestKubernetesManifestsFit(t *testing.T) {
	t.Parallel()
	var set struct {
		Spec struct {
			Replicas int
			Template struct {
				Spec struct {
					Containers []struct {
						Ports []struct {
							ContainerPort int `yaml:"containerPort"`
						}
						VolumeMounts []struct {
							Name      string
							MountPath string `yaml:"mountPath"`
						} `yaml:"volumeMounts"`
					}
				}
			}
			VolumeClaimTemplates []struct {
				Metadata struct{ Name string }
				Spec     struct {
					AccessModes []string `yaml:"accessModes"`
				}
			} `yaml:"volumeClaimTemplates"`
		}
	}
	readYAML(t, "../../deploy/kubernetes/statefulset.yaml", &set)
	c := loadShipped(t, readYAML(t, "../../deploy/kubernetes/muster.yaml", nil))
	if len(set.Spec.VolumeClaimTemplates) != 1 || len(set.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("%+v", set)
	}
	claim, container := set.Spec.VolumeClaimTemplates[0], set.Spec.Template.Spec.Containers[0]
	if set.Spec.Replicas != 1 || claim.Spec.AccessModes[0] != "ReadWriteOncePod" {
		t.Errorf("%d replicas with a volume of %v: a state directory has one owner", set.Spec.Replicas, claim.Spec.AccessModes)
	}
	inside := false
	for _, mount := range container.VolumeMounts {
		// Not the mount itself, where file systems keep a lost+found.
		inside = inside || mount.Name == claim.Metadata.Name && strings.HasPrefix(c.State.Dir, mount.MountPath+"/")
	}
	if !inside {
		t.Errorf("state.dir %s lies in no folder of the volume %+v", c.State.Dir, container.VolumeMounts)
	}
	if _, port, _ := strings.Cut(c.HTTP.Listen, ":"); port != "8470" || container.Ports[0].ContainerPort != 8470 {
		t.Errorf("it listens at %s, the pod has %+v", c.HTTP.Listen, container.Ports)
	}
}

// TestComposeFits holds the configuration and the audiences in deploy/compose.yaml to what the worker takes.
func TestComposeFits(t *testing.T) {
	t.Parallel()
	var compose struct {
		Services map[string]struct{ Volumes []string }
		Configs  map[string]struct{ Content string }
	}
	readYAML(t, "../../deploy/compose.yaml", &compose)
	c := loadShipped(t, compose.Configs["muster.yaml"].Content)
	if _, mount, _ := strings.Cut(compose.Services["muster"].Volumes[0], ":"); !strings.HasPrefix(c.State.Dir+"/", mount+"/") {
		t.Errorf("state.dir %s lies outside of the volume at %s", c.State.Dir, mount)
	}
	for name, file := range compose.Configs {
		if filepath.Ext(name) != ".json" {
			continue
		}
		if _, err := evaluator.Decode([]byte(file.Content), strings.TrimSuffix(name, ".json")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheImageLeavesTheConfigurationAlone holds that no variable of the image goes before what the file says: state on a volume of
// one's own would silently be in the container instead.
func TestTheImageLeavesTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	if text := readYAML(t, "../../deploy/Dockerfile", nil); strings.Contains(text, "ENV MUSTER_") {
		t.Error("the Dockerfile sets a variable of the configuration")
	}
}
