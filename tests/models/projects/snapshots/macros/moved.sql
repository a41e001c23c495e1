{% macro snapshot_moved_strategy(node, snapshotted_rel, current_rel, config, target_exists) %}
    {% set usual = snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, config, target_exists) %}
    {% do usual.update({'row_changed': snapshotted_rel ~ '.city <> ' ~ current_rel ~ '.city'}) %}
    {% do return(usual) %}
{% endmacro %}
