{# A row is new when one of the compared columns differs, or when a compared column has just been added. #}
{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set added, compared = snapshot_check_all_get_existing_columns(node, target_exists, config.get('check_cols')) %}
    {% set differences = [] %}
    {% for name in compared %}
        {% set old = snapshotted_rel ~ '.' ~ name %}
        {% set new = current_rel ~ '.' ~ name %}
        {% do differences.append(
            old ~ ' != ' ~ new
            ~ ' or (((' ~ old ~ ' is null) and not (' ~ new ~ ' is null)) or ((not ' ~ old ~ ' is null) and (' ~ new ~ ' is null)))') %}
    {% endfor %}
    {% set changed = get_true_sql() | trim if added else differences | join('\n        or ') %}
    {% do return(_snapshot_strategy(config.get('updated_at') or snapshot_get_time(), '(' ~ changed ~ ')')) %}
{% endmacro %}

{# (whether the query has a compared column that the snapshot lacks, the compared columns that both have, quoted). #}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) -%}
    {% if not target_exists %}
        {% do return((false, [])) %}
    {% endif %}

    {# the database is asked for the names, because it spells them as the snapshot does #}
    {% if check_cols_config == 'all' %}
        {% set queried = get_columns_in_query(node['compiled_code']) %}
    {% elif check_cols_config is iterable and check_cols_config | length > 0 %}
        {% set narrowed %}
            select {{ check_cols_config | join(', ') }} from (
                {{ node['compiled_code'] }}
            ) subq
        {% endset %}
        {% set queried = get_columns_in_query(narrowed) %}
    {% else %}
        {% do exceptions.raise_compiler_error("check_cols is '" ~ check_cols_config ~ "'; it may be 'all' or a list of columns") %}
    {% endif %}

    {% set target = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) %}
    {% set stored = adapter.get_columns_in_relation(target) | map(attribute='name') | list %}
    {% set shared = [] %}
    {% for name in queried if name in stored %}
        {% do shared.append(adapter.quote(name)) %}
    {% endfor %}
    {% do return((shared | length < queried | length, shared)) %}
{%- endmacro %}
