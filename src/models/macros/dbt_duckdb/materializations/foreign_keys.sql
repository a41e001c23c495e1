{# DuckDB neither renames nor drops a table that a foreign key refers to, and drops no foreign key. So the tables that
   refer to a table are dropped before it is replaced, their rows kept aside until the run builds them anew. Only
   tables that this run will build from scratch may be dropped. #}

{% macro enforced_constraint_types() -%}
    {% set kinds = [] %}
    {% set contract = config.get('contract') %}
    {% if contract and contract.enforced %}
        {% for constraint in model.get('constraints', []) %}
            {% do kinds.append(constraint.type) %}
        {% endfor %}
        {% for col in model.get('columns', {}).values() %}
            {% for constraint in col.get('constraints', []) %}
                {% do kinds.append(constraint.type) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {% do return(kinds) %}
{%- endmacro %}

{% macro existing_constraint_types(relation) -%}
    {% do return(adapter.existing_key_constraint_types(relation) if relation is not none and relation.is_table else []) %}
{%- endmacro %}

{# A table with foreign keys is never renamed: the table it refers to would go on knowing it by its old name. #}
{% macro has_foreign_key_constraints(relation=none) -%}
    {% do return(_duckdb_key_types(relation) | select('equalto', 'foreign_key') | list | length > 0) %}
{%- endmacro %}

{% macro may_be_foreign_key_target(relation=none) -%}
    {% do return(_duckdb_key_types(relation) | select('in', ['primary_key', 'unique']) | list | length > 0) %}
{%- endmacro %}

{% macro _duckdb_key_types(relation) -%}
    {% if not adapter.catalog_supports_foreign_keys(this.database) %}
        {% do return([]) %}
    {% endif %}
    {% do return(enforced_constraint_types() + existing_constraint_types(relation)) %}
{%- endmacro %}

{# Drops the relation and what refers to it within one transaction; returns the dependents, to be restored. #}
{% macro drop_relation_for_rebuild(relation) -%}
    {% do adapter.ensure_transaction() %}
    {% set dropped = drop_foreign_key_dependents(relation) if relation.is_table and may_be_foreign_key_target(relation) else [] %}
    {% do adapter.drop_relation(relation) %}
    {% do return(dropped) %}
{%- endmacro %}

{# [{'relation', 'backup'}], deepest dependent first. #}
{% macro drop_foreign_key_dependents(relation) -%}
    {% set dependents = _duckdb_foreign_key_dependents(relation) %}
    {% set obstacles = _duckdb_foreign_key_obstacles(relation, dependents) if dependents else [] %}
    {% if obstacles %}
        {% do exceptions.raise_compiler_error(
            relation ~ ' cannot be replaced, because foreign keys refer to it from tables that this run will not build anew: '
            ~ obstacles | join('; ')) %}
    {% endif %}

    {% set dropped = [] %}
    {% for name in dependents %}
        {% set dependent = api.Relation.create(database=relation.database, schema=relation.schema, identifier=name, type='table') %}
        {% set backup = dependent.incorporate(path={'identifier': name ~ '__dbt_fk_backup'}, type='table') %}
        {% do adapter.drop_relation(backup) %}
        {% call statement('backup_foreign_key_dependent_' ~ loop.index) %}
            create table {{ backup }} as select * from {{ dependent }}
        {% endcall %}
        {% do log('Dropping ' ~ dependent ~ ', which refers to ' ~ relation ~ '; this run builds it anew', info=True) %}
        {% do adapter.drop_relation(dependent) %}
        {% do dropped.append({'relation': dependent, 'backup': backup}) %}
    {% endfor %}
    {% do return(dropped) %}
{%- endmacro %}

{% macro restore_foreign_key_dependents(dropped) -%}
    {% for entry in dropped | reverse %}
        {% do log('The rows of ' ~ entry['relation'] ~ ' are back; its constraints come when it is built', info=True) %}
        {% do adapter.rename_relation(entry['backup'], entry['relation']) %}
    {% endfor %}
{%- endmacro %}

{# {table: the tables it refers to, in lower case} of all that refers to the relation, directly or not, deepest first.
   A foreign key stays within its schema. #}
{% macro _duckdb_foreign_key_dependents(relation) -%}
    {% call statement('get_foreign_key_dependents', fetch_result=True) %}
        with recursive edges as (
            select table_name as child, referenced_table as parent
            from duckdb_constraints()
            where constraint_type = 'FOREIGN KEY'
              and lower(database_name) = lower('{{ adapter.escape_sql_string(relation.database) }}')
              and lower(schema_name) = lower('{{ adapter.escape_sql_string(relation.schema) }}')
              and lower(table_name) <> lower(referenced_table)
        ),
        reached(child, depth) as (
            select child, 1 from edges
            where lower(parent) = lower('{{ adapter.escape_sql_string(relation.identifier) }}')
            union
            select edges.child, reached.depth + 1
            from edges inner join reached on lower(edges.parent) = lower(reached.child)
        ),
        deepest as (
            select child, max(depth) as depth from reached group by child
        )
        select deepest.child, edges.parent
        from deepest inner join edges using (child)
        order by deepest.depth desc, deepest.child, edges.parent
    {% endcall %}
    {% set parents = {} %}
    {% for found in load_result('get_foreign_key_dependents').table %}
        {% do parents.setdefault(found[0], []).append(found[1] | lower) %}
    {% endfor %}
    {% do return(parents) %}
{%- endmacro %}

{# Why some of the dependents may not be dropped, one text each. #}
{% macro _duckdb_foreign_key_obstacles(relation, dependents) -%}
    {% set builders = {} %}
    {% for node in graph.nodes.values() if node.resource_type == 'model'
          and (node.database or '') | lower == (relation.database or '') | lower
          and node.schema | lower == relation.schema | lower %}
        {% do builders.update({(node.alias or node.name) | lower: node}) %}
    {% endfor %}

    {% set obstacles = [] %}
    {% for name, parents in dependents.items() %}
        {% set node = builders.get(name | lower) %}
        {% if not node %}
            {% do obstacles.append(name ~ ' (no model builds it)') %}
        {% elif node.unique_id not in selected_resources %}
            {% do obstacles.append(name ~ ' (the model ' ~ node.name ~ ' is not selected)') %}
        {% else %}
            {% set upstream = [] %}
            {% for parent in parents %}
                {% set builder = model if parent == relation.identifier | lower else builders.get(parent) %}
                {% if builder and builder.unique_id in node.depends_on.nodes %}
                    {% do upstream.append(parent) %}
                {% endif %}
            {% endfor %}
            {% set refreshed = flags.FULL_REFRESH if node.config.full_refresh is none else node.config.full_refresh %}
            {% set kind = node.config.materialized %}
            {% if not upstream %}
                {% do obstacles.append(name ~ ' (the model ' ~ node.name ~ ' does not ref() what its foreign key refers to: write `to: ref(...)` in the constraint)') %}
            {% elif kind != 'table' and not (kind == 'incremental' and refreshed) %}
                {% do obstacles.append(name ~ ' (the model ' ~ node.name ~ ' is ' ~ kind ~ ' and would lose its rows: run with --full-refresh)') %}
            {% endif %}
        {% endif %}
    {% endfor %}
    {% do return(obstacles) %}
{%- endmacro %}
