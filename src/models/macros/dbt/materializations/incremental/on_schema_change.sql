{% macro incremental_validate_on_schema_change(on_schema_change, default='ignore') %}
    {% if on_schema_change in ('ignore', 'fail', 'append_new_columns', 'sync_all_columns') %}
        {% do return(on_schema_change) %}
    {% endif %}
    {% do log("on_schema_change knows no '" ~ on_schema_change ~ "': '" ~ default ~ "' is taken") %}
    {% do return(default) %}
{% endmacro %}

{% macro check_for_schema_changes(source_relation, target_relation) %}
    {% do return(adapter.dispatch('check_for_schema_changes', 'dbt')(source_relation, target_relation)) %}
{% endmacro %}

{% macro default__check_for_schema_changes(source_relation, target_relation) %}
    {% set incoming = adapter.get_columns_in_relation(source_relation) %}
    {% set present = adapter.get_columns_in_relation(target_relation) %}
    {% set added = diff_columns(incoming, present) %}
    {% set removed = diff_columns(present, incoming) %}
    {% set retyped = diff_column_data_types(incoming, present) %}
    {% set changes = {
        'schema_changed': added != [] or removed != [] or retyped != [],
        'source_not_in_target': added,
        'target_not_in_source': removed,
        'source_columns': incoming,
        'target_columns': present,
        'new_target_types': retyped,
    } %}
    {% do log('The new rows of ' ~ target_relation ~ ' ' ~ _schema_changes_text(changes)) %}
    {% do return(changes) %}
{% endmacro %}

{% macro _schema_changes_text(changes) -%}
    add the columns {{ changes['source_not_in_target'] }}, lack {{ changes['target_not_in_source'] }} and change types by {{ changes['new_target_types'] }}
{%- endmacro %}

{% macro sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
    {% do return(adapter.dispatch('sync_column_schemas', 'dbt')(on_schema_change, target_relation, schema_changes_dict)) %}
{% endmacro %}

{% macro default__sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
    {% set added = schema_changes_dict['source_not_in_target'] %}
    {% set removed = schema_changes_dict['target_not_in_source'] %}
    {% if on_schema_change == 'append_new_columns' and added %}
        {% do alter_relation_add_remove_columns(target_relation, added, none) %}
    {% elif on_schema_change == 'sync_all_columns' %}
        {% if added or removed %}
            {% do alter_relation_add_remove_columns(target_relation, added, removed) %}
        {% endif %}
        {% for retyped in schema_changes_dict['new_target_types'] %}
            {% do alter_column_type(target_relation, retyped['column_name'], retyped['new_type']) %}
        {% endfor %}
    {% endif %}
    {% do log(target_relation ~ ' follows its model by ' ~ on_schema_change) %}
{% endmacro %}

{% macro process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {% do return(adapter.dispatch('process_schema_changes', 'dbt')(on_schema_change, source_relation, target_relation)) %}
{% endmacro %}

{# The columns of the new rows; nothing where changes are ignored. #}
{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {% if on_schema_change == 'ignore' %}
        {% do return({}) %}
    {% endif %}
    {% set changes = check_for_schema_changes(source_relation, target_relation) %}
    {% if changes['schema_changed'] %}
        {% if on_schema_change == 'fail' %}
            {% do exceptions.raise_compiler_error(
                'on_schema_change is fail, and the new rows of ' ~ target_relation ~ ' ' ~ _schema_changes_text(changes)
                ~ '. Set it to append_new_columns or sync_all_columns, run with --full-refresh, or change the table by hand.') %}
        {% endif %}
        {% do sync_column_schemas(on_schema_change, target_relation, changes) %}
    {% endif %}
    {% do return(changes['source_columns']) %}
{% endmacro %}
